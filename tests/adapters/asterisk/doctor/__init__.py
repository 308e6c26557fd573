"""Every finding of the doctor raised by one fault in a good configuration."""
