"""Brings a Grafana to what the dashboards here say, an organisation for each who may look."""
