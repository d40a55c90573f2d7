"""The group `lakehouse aws`: what the project needs on AWS is made, looked at, and removed."""
