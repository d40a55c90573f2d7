"""Where files are kept: a folder of this machine, or a prefix of a bucket."""
