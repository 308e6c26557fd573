"""The application: settings, wiring, lifecycle and command line. The only place that builds concrete things."""
