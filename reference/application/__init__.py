"""The honest application. Nothing in this package knows that faults exist."""
