"""What runs by itself: schedules and sensors. `pipelines` passes them their jobs."""
