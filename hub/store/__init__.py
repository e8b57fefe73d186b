"""The only place that speaks SQL: tables, queries, migrations."""
