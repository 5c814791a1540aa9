"""Alert rules for those who run the platform, so that its failure is noticed by something else. Alerts about
machines are the platform's own findings, and no rules of Grafana's."""
