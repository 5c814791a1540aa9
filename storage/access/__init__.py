"""Who looks at the data with SQL of their own: views of a part of the fleet, roles that see nothing else."""
