"""What the project needs on AWS is made, described and removed: the stack of infra/, and what outlives it."""
