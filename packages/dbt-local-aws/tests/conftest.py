"""What holds for all tests of the package."""

import signal

# Shells have SIGINT ignored in the background, and what a test starts would inherit that: it could not be interrupted.
signal.signal(signal.SIGINT, signal.default_int_handler)
