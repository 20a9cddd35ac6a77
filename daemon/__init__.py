"""The daemon of the 难点问题书记一线办 platform."""

__version__ = "0.1.0"
