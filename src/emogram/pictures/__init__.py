"""Pictures of sound: of a clip, to look at on paper or in a terminal, and of a whole corpus, to compute with elsewhere."""
