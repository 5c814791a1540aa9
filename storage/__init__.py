"""What is kept? Migrations, the COPY path, the offset fence, queries, the embedded server."""
