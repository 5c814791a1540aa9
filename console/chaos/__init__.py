"""Does it keep its promises under faults? A seeded load, real servers, faults on purpose, one checker."""
