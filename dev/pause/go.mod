module pennant.dev/pause

go 1.24.0
