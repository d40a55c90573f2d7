"""What the working tree changes against a base revision, in Markdown: models, rows, personal data, tests, lint."""
