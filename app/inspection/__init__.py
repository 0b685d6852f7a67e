"""How things stand: `fairlead status` asks the API, `fairlead doctor` looks at this machine and the database."""
