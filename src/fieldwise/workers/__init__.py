"""Who executes attempts: one engine process per home, scripts in processes of their own."""
