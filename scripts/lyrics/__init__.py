"""Words to sing: reading, syllables, stresses, rhymes."""
