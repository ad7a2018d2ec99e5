"""The driven side: event store on SQLite and PostgreSQL, personal data's keys."""
