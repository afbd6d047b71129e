"""The models that come with emogram: trained by a recipe, tested on speakers held out, described by a card."""
