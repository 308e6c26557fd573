"""A telephone hotline engine for banks; `ivr_engine/README.md` is the map of this package."""
