"""The figure of a fit, and the numbers behind it."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from scipy.special import fdtri

import surefoot as sf
from surefoot.models.picture import gather


def line(rows: int, seed: int = 1) -> dict:
    random = np.random.default_rng(seed)
    x = random.normal(3, 1, rows)
    return {"x": x, "z": random.normal(size=rows), "y": 1 + 2 * x + random.normal(size=rows)}


def test_all_rows_are_kept_where_they_fit():
    data = line(50)
    fit = sf.fit("y ~ x", data)
    sample = gather(fit).sample
    design = np.column_stack([np.ones(50), data["x"]])
    leverage = np.sum(np.linalg.qr(design)[0] ** 2, axis=1)
    residual = data["y"] - design @ fit.coef
    assert sample.total == 50 and sample.row.tolist() == list(range(1, 51))
    np.testing.assert_allclose(sample.residual, residual, atol=1e-12)
    np.testing.assert_allclose(sample.leverage, leverage)
    np.testing.assert_allclose(sample.studentised, residual / (fit.sigma * np.sqrt(1 - leverage)))
    np.testing.assert_allclose(sample.fitted + sample.residual, data["y"])
    order = np.argsort(sample.studentised)
    assert np.all(np.diff(sample.quantile[order]) > 0)
    np.testing.assert_allclose(sample.quantile[order], -sample.quantile[order][::-1], atol=1e-12)


def test_a_sample_is_bounded_keeps_the_extremes_and_does_not_depend_on_batches():
    data = line(30_000)
    data["y"][17_000] += 50
    fits = [sf.fit("y ~ x + z", data, batch_rows=size) for size in (30_000, 1_000)]
    first, second = (gather(fit, rows=500).sample for fit in fits)
    assert first.total == 30_000 and len(first.row) <= 500
    assert 17_001 in first.row
    np.testing.assert_array_equal(first.row, second.row)
    np.testing.assert_allclose(first.quantile, second.quantile)
    full = gather(fits[0], rows=30_000).sample
    lowest = set(full.row[np.argsort(full.studentised)[:25]])
    assert lowest <= set(first.row)
    # The quantiles of the sample are those of all rows: exactly at the ends, nearly in between.
    places = np.searchsorted(full.row, first.row)
    extreme = np.argsort(first.studentised)[:25]
    np.testing.assert_allclose(first.quantile[extreme], full.quantile[places[extreme]])
    assert np.max(np.abs(first.quantile - full.quantile[places])) < 0.25
    assert first.beyond_two == full.beyond_two == np.sum(np.abs(full.studentised) > 2)
    assert first.mean_stderr == pytest.approx(fits[0].sigma * np.sqrt(3 / 30_000))


def test_frequencies_count_as_rows():
    data = line(60)
    data["f"] = np.arange(60) % 3 + 1
    repeated = {name: np.repeat(values, data["f"]) for name, values in data.items()}
    counted = gather(sf.fit("y ~ x", data, frequencies="f")).sample
    single = gather(sf.fit("y ~ x", repeated)).sample
    assert counted.usable == single.usable == data["f"].sum()
    assert counted.beyond_two == single.beyond_two
    np.testing.assert_allclose(np.repeat(counted.studentised, data["f"]), single.studentised)


def test_curve_and_bands_are_the_predictions():
    fit = sf.fit("y ~ x + I(x^2)", line(40))
    curve = gather(fit).curve
    expected = fit.predict({"x": curve.x}, interval="prediction")
    assert curve.name == "x"
    np.testing.assert_allclose(curve.value, expected.value)
    np.testing.assert_allclose(curve.prediction, [expected.lower, expected.upper])
    assert gather(sf.fit("y ~ x + z", line(40))).curve is None


def test_bowl_is_the_profiled_sum_of_squares():
    data = line(40)
    fit = sf.fit("y ~ x + z", data)
    bowl = gather(fit).bowl
    assert bowl.names == ("x", "z")
    np.testing.assert_allclose(bowl.unit, fit.stderr[1:])
    for rise, points in zip(bowl.rises[::4], bowl.contours[::4], strict=True):
        x, z = bowl.centre + bowl.unit * points[:, 25]
        rest = data["y"] - x * data["x"] - z * data["z"]
        least = np.sum((rest - rest.mean()) ** 2)
        assert (least - fit.statistics.residual_length**2) / fit.sigma**2 == pytest.approx(rise)
    level, region = bowl.regions[1]
    inverse = np.linalg.inv(fit.covariance.matrix()[1:, 1:])
    offsets = bowl.unit[:, None] * region
    np.testing.assert_allclose(np.sum(offsets * (inverse @ offsets), axis=0), 2 * fdtri(2, 37, level))


def test_robust_regions_have_robust_standard_errors():
    fit = sf.fit("y ~ x + z", line(40), errors="HC3")
    bowl = gather(fit).bowl
    inverse = np.linalg.inv(fit.covariance.matrix()[1:, 1:])
    offsets = bowl.unit[:, None] * bowl.regions[0][1]
    np.testing.assert_allclose(np.sum(offsets * (inverse @ offsets), axis=0), 2 * fdtri(2, 37, 0.68))


def test_plot_is_a_figure_that_leaves_no_global_state(tmp_path):
    code = (
        "import sys, surefoot as sf\n"
        "fit = sf.fit('y ~ x', {'x': [1, 2, 3, 4, 6], 'y': [2.1, 3.9, 6.2, 7.8, 12.5]})\n"
        "assert 'matplotlib' not in sys.modules and 'jinja2' not in sys.modules\n"
        "import matplotlib\n"
        "state = lambda: {k: matplotlib.rcParams[k] for k in matplotlib.rcParams if k != 'backend'}\n"
        "before = state()\n"
        "figure = fit.plot()\n"
        "assert state() == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "figure.savefig(sys.argv[1])\n"
    )
    target = tmp_path / "plot.png"
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(target)], check=True)
    assert target.read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_plot_is_written_in_every_format(kind):
    figure = sf.fit("y ~ x", line(30)).plot()
    assert [axes.get_title(loc="left")[:1] for axes in figure.axes] == ["a", "b", "c", "d"]
    assert figure.axes[0].get_xlabel() == "x" and figure.axes[0].get_ylabel() == "y"
    stream = io.BytesIO()
    figure.savefig(stream, format=kind)
    assert len(stream.getvalue()) > 5000


def test_a_notebook_shows_the_figure_by_itself():
    fit = sf.fit("y ~ x", {"x": [1.0, 2.0, 3.0, 4.0], "y": [1.1, 1.9, 3.2, 3.9]})
    assert fit.plot()._repr_png_().startswith(b"\x89PNG")
