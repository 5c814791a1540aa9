"""What is seen? Dashboards as code."""
