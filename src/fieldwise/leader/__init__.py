"""The one writer of an environment: takes reports and commands, decides with the fleet, commits, and only then acts."""
