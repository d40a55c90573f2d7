"""What tests need that look at the endpoints: clients of them, and what lies in the lake. Nothing else imports it."""
