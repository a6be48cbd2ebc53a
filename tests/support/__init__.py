"""What several tests share: processes, terminals, servers, models and files made for tests."""
