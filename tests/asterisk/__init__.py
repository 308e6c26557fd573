"""Tests with real calls: the whole hotline, real Asterisk, real SIP and RTP."""
