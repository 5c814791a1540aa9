"""What flows? Wire format, transports, Faust agents, replay, simulator."""
