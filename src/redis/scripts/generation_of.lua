-- KEYS: generation   ARGV: the one that the caller knows, or empty; a name for a new one
return generation(KEYS[1], ARGV[1], ARGV[2])
