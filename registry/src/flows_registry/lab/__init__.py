"""The lab on which every check stands: builds, clean environments, rooms, references, simulators."""
