"""Pictures of the console for the README, made from the apps of the snapshot tests."""
