"""What Prometheus reads: requests, errors, times, queue, sound heard, streams."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from emogram import __version__

MEDIA_TYPE = CONTENT_TYPE_LATEST

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counts of one server.

    Args:
        model: name of the model.
    """

    def __init__(self, model: str) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("emogram_requests", "Requests answered.", "method", "path", "status")
        self.seconds = Histogram(
            "emogram_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ("path",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.recordings = self._counter("emogram_recordings", "Recordings worked on.", "outcome")
        self.audio_seconds = self._counter("emogram_audio_seconds", "Sound recognised, in seconds.", "source")
        self.moments = self._counter("emogram_stream_moments", "Answers to streams.")
        Info("emogram", "Version and model.", registry=self._registry).info({"version": __version__, "model": model})
        ProcessCollector(registry=self._registry)

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Report what a function gives when asked."""
        Gauge(name, meaning, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self._registry)
