"""How a run was trained, in words."""

from emogram.paper.settings import training


def test_a_single_fit_is_no_mean_of_fits() -> None:
    fields = {"fit.epochs": 9, "fit.batch_size": 32}
    assert training(fields) == training({**fields, "fit.soup": 1}) == "9 epochs in batches of 32"
    assert training({**fields, "fit.soup": 6}) == "9 epochs in batches of 32, the mean of the weights of 6 such fits"
