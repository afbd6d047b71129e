"""A model's last layer fitted anew to clips of one's own, in seconds and without torch: `emogram adapt`.

What a network hears in a voice, the input of its last layer, changes little between languages and microphones; how it
is named changes a lot. So the network stays as it is and the last layer, a linear one, is fitted to a few clips of the speakers,
the language and the emotions that it is to be used on. It is drawn towards what it was, so that few clips change it little.
"""

from emogram.adaptation.adapting import Adaptation, adapt
from emogram.adaptation.head import PRIOR

__all__ = ["PRIOR", "Adaptation", "adapt"]
