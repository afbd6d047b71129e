"""The file that ships: the weights of the release, calibrated by cross-validation, compact, with its card inside."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from emogram.corpora.clip import Clip
from emogram.errors import ModelError
from emogram.networks.compaction import compact, differences
from emogram.networks.export import export
from emogram.pretraining.card import short_card
from emogram.pretraining.recipe import RELEASE, Plan
from emogram.pretraining.results import FACTS, gather_results
from emogram.pretraining.scores import file_scores, score_sheet
from emogram.recognition.model_file import ModelInfo, read_model
from emogram.training.building import build_classifier
from emogram.training.cache import AudioCache, default_folder
from emogram.training.checkpoints import load_weights
from emogram.training.fit import BEST, checkpoint
from emogram.training.material import prepare
from emogram.training.outcome import MODEL
from emogram.training.run_folder import write_json

TOLERANCE = {8: 5e-2, 12: 5e-3, 16: 2e-3}
"""Largest difference of a probability between the compact file and the full one, by bits."""

WHOLE_TOLERANCE = 0.15
"""The same where products are of whole numbers. What that does to the scores is on the card."""

_FULL = "full.onnx"
_LONGEST_LICENCE = 200


def bundle(plan: Plan, clips: Sequence[Clip]) -> Path:
    """Gather the results, and write the model file from the weights of the release.

    Its temperature and threshold are those of the cross-validation, which saw more speakers than the release validates on.

    Args:
        plan: of the model, whose steps are done.
        clips: that it learns from.

    Returns:
        The path of the file.

    Raises:
        TrainingError: a step is not done.
        ModelError: the compact file answers otherwise than the full one.
    """
    store = gather_results(plan, clips)
    sheet = score_sheet(store)
    configuration = plan.configuration(RELEASE)
    run, path = plan.run_folder(RELEASE, 1), plan.folder / MODEL
    said = _describe(read_model(run / MODEL).info, sheet)
    classifier = build_classifier(configuration, len(said.labels))
    classifier.load_state_dict(load_weights(checkpoint(run, BEST), "classifier."))
    full = run / _FULL
    export(classifier.eval(), said, full)
    compact(full, path, bits=plan.recipe.bits, whole_products=plan.recipe.whole_products)
    cache = AudioCache(configuration.runtime.cache or default_folder(), said.sample_rate)
    held_back = prepare(configuration, clips).split.validation
    largest, mean = differences(full, path, (cache(clip) for clip in held_back))
    if not largest <= (WHOLE_TOLERANCE if plan.recipe.whole_products else TOLERANCE[plan.recipe.bits]):
        raise ModelError(f"{path}: differs from the full file by {largest:.2g}; choose more bits, or no whole products")
    file = {
        "bytes": path.stat().st_size,
        "full_bytes": full.stat().st_size,
        "largest_difference": largest,
        "mean_difference": mean,
        "clips": len(held_back),
    }
    write_json(store.folder / FACTS, store.facts | {"file": file})
    return path


def _describe(info: ModelInfo, sheet: dict[str, Any]) -> ModelInfo:
    facts = sheet["facts"]
    commercial = not any("NC" in corpus["licence"] for corpus in facts["corpora"])
    licence = info.licence if commercial else f"non-commercial; {info.licence}"
    return replace(
        info,
        name=facts["name"],
        licence=licence[:_LONGEST_LICENCE],
        temperature=facts["temperature"],
        uncertain_below=facts["uncertain_below"],
        scores=file_scores(sheet),
        card=short_card(sheet),
    )
