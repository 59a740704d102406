"""What pods say of their own answers: `reports` is the door, `reading` asks one pod."""
