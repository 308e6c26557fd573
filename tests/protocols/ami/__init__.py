"""AMI as bytes: framing, answers, lists, and dialogues recorded from a real Asterisk."""
