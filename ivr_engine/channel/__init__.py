"""One caller: what can be played to them and which keys they press. Knows no flow, no bank, no Asterisk."""
