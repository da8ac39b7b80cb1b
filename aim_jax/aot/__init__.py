"""Ahead of time: programs compiled for a TPU topology on a machine without one, and what the compiled text tells."""
