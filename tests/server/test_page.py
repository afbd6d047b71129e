"""The page in a real browser against a real server: recorded, dropped, played, tested, explained, run in the browser."""

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import emogram
from emogram.recognition import Recognizer
from tests.recognition import small_models
from tests.server import page_session
from tests.server.page_session import CHROMIUM, RATE, VIEWPORT

RUNTIME_VARIABLE = "EMOGRAM_BROWSER_RUNTIME"
RUNTIME = os.environ.get(RUNTIME_VARIABLE)

pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")

Page = Any
SPOKEN = ("neutral", "angry")
PIECE = RATE // 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("page")
    # It tells loud from soft, and its clips are short, so that answers come soon while one records.
    (made / "tiny.onnx").write_bytes(small_models.content(uncertain_below=0.45))
    page_session.write(made / "microphone.wav", page_session.sentences("happy", "angry", pause_s=0.25))
    page_session.write(made / "spoken.wav", page_session.sentences(*SPOKEN))
    page_session.write(made / "tones.wav", page_session.tones(500, 1000, 3000))
    (made / "letter.wav").write_text("Dear all, this is no sound.")
    return made


@pytest.fixture(scope="module")
def recognizer(folder: Path) -> Recognizer:
    return emogram.load(folder / "tiny.onnx")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    runtime = ("--browser-runtime", RUNTIME) if RUNTIME else ()
    arguments = ("--model", folder / "tiny.onnx", "--recordings", folder / "kept", *runtime)
    with page_session.serving(*arguments) as found:
        yield found


@pytest.fixture(scope="module")
def browser(folder: Path) -> Iterator[Any]:
    with page_session.launched(folder / "microphone.wav") as running:
        yield running


@pytest.fixture(scope="module")
def opened(browser: Any, address: str) -> Iterator[tuple[Page, list[str]]]:
    """The page, opened once, and what goes wrong in it."""
    with page_session.visited(browser, address) as found:
        yield found


@pytest.fixture
def page(opened: tuple[Page, list[str]]) -> Iterator[Page]:
    """The page at rest; at the end no script must have failed and nothing been refused."""
    page, wrong = opened
    page.set_viewport_size(VIEWPORT)
    page.uncheck("#in-browser", force=True)
    page.check("input[value=real-life]")
    page.check("input[value=listen]")
    yield page
    failed = [said for said in wrong if not re.search("status of 4(01|22)", said)]
    wrong.clear()
    assert failed == []


def use(page: Page, path: Path, ready: str = "#segments:not([hidden])") -> None:
    page.set_input_files("#file", path)
    page.wait_for_selector(ready)


def record(page: Page, seconds: float = 1.6) -> None:
    page.click("#record")
    page.wait_for_selector("#record[data-recording]")
    page.wait_for_timeout(1000 * seconds)


def bars(page: Page) -> dict[str, str]:
    rows = page.locator("#bars li").all()
    return {row.locator(".name").inner_text(): row.locator(".value").inner_text() for row in rows}


def percents(probabilities: dict[str, float]) -> dict[str, str]:
    return {emotion: f"{int(100 * value + 0.5)} %" for emotion, value in probabilities.items()}


def downloaded(page: Page, form: str) -> bytes:
    with page.expect_download() as started:
        page.click(f"[data-download={form}]")
    return Path(started.value.path()).read_bytes()


def loudest_hz(page: Page, canvas: str, part: float) -> float:
    """The frequency of the darkest row in a column of a spectrogram, by the axis that the page has beside it."""
    row = page.evaluate(
        """async ([id, part]) => {
          const canvas = document.querySelector(id);
          const { width, height } = canvas;
          const pixels = canvas.getContext("2d").getImageData(Math.floor(part * width), 0, 1, height).data;
          let best = 0;
          for (let y = 0; y < height; y += 1) if (pixels[4 * y] < pixels[4 * best]) best = y;
          const { fromMel, toMel, LOWEST_HZ, HIGHEST_HZ } = await import("/fourier.js");
          return fromMel(toMel(LOWEST_HZ) + (1 - (best + 0.5) / height) * (toMel(HIGHEST_HZ) - toMel(LOWEST_HZ)));
        }""",
        [canvas, part],
    )
    return float(row)


def test_at_rest_it_says_what_it_knows_where_sound_goes_and_what_it_is_not_for(page: Page) -> None:
    assert page.locator("#known li").all_inner_texts() == list(small_models.LABELS)
    assert "10 minutes and 25 MB" in page.inner_text("#limits-note")
    assert "keeps a clip only where the real-life test asks" in page.inner_text("#privacy")
    assert "Do not judge, hire" in page.inner_text("footer")
    page.click("text=About the model")
    assert "Apache-2.0" in page.inner_text("#model-facts")


def test_a_file_is_answered_as_the_recogniser_answers(page: Page, folder: Path, recognizer: Recognizer) -> None:
    use(page, folder / "spoken.wav")
    prediction = recognizer.predict(folder / "spoken.wav")
    timeline = recognizer.timeline(folder / "spoken.wav")
    assert bars(page) == percents(prediction.probabilities)
    assert page.inner_text("#answer-title") == prediction.emotion
    assert page.locator("#segment-list li").count() == len(timeline.segments) > 0
    told = page.locator("#segment-list button > span:nth-child(2)").all_inner_texts()
    assert [words.removeprefix("perhaps ").split()[0] for words in told] == [
        segment.emotion for segment in timeline.segments
    ]
    assert [words.startswith("perhaps") for words in told] == [segment.uncertain for segment in timeline.segments]
    kept = json.loads(downloaded(page, "json"))
    assert kept["prediction"]["probabilities"] == pytest.approx(prediction.probabilities)
    assert kept["prediction"].keys() == prediction.to_dict().keys()
    assert kept["timeline"].keys() == timeline.to_dict().keys()
    assert downloaded(page, "csv").decode() == timeline.to_csv().replace(str(folder / "spoken.wav"), "spoken.wav")
    assert downloaded(page, "srt").decode() == timeline.to_srt()


def test_a_dropped_file_is_taken(page: Page, folder: Path) -> None:
    carried = page.evaluate_handle(
        """(text) => {
          const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "dropped.wav"));
          return transfer;
        }""",
        base64.b64encode((folder / "spoken.wav").read_bytes()).decode(),
    )
    page.dispatch_event("#view", "dragover", {"dataTransfer": carried})
    assert page.get_attribute("#view", "data-drop") == ""
    page.dispatch_event("#view", "drop", {"dataTransfer": carried})
    page.wait_for_selector("#segments:not([hidden])")
    assert page.get_attribute("#view", "data-drop") is None
    assert json.loads(downloaded(page, "json"))["prediction"]["file"] == "dropped.wav"


def test_what_is_wrong_with_a_recording_is_told_in_words(page: Page, folder: Path, recognizer: Recognizer) -> None:
    path = page_session.write(folder / "soft.wav", 1e-3 * page_session.sentences("sad"))
    use(page, path, "#warnings li")
    told = page.inner_text("#warnings")
    assert all(warning.message[1:] in told for warning in recognizer.predict(path).warnings)
    assert "Come closer to the microphone" in told or "Nobody seems to speak" in told


def test_the_picture_shows_each_tone_where_its_frequency_is(page: Page, folder: Path) -> None:
    use(page, folder / "tones.wav", "#spectrogram[aria-label*='1.5 seconds']")
    heard = [loudest_hz(page, "#spectrogram", part) for part in (1 / 6, 1 / 2, 5 / 6)]
    assert heard == pytest.approx([500, 1000, 3000], rel=0.06)


def test_playback_runs_follows_the_timeline_and_goes_where_it_is_sent(page: Page, folder: Path) -> None:
    use(page, folder / "spoken.wav")
    page.locator("#segment-list button").last.click()
    page.wait_for_selector("#segment-list li:last-child button[aria-current=true]")
    last = float(page.input_value("#seek"))
    page.locator("#segment-list button").first.click()  # before the others, so that a slow machine is not past the end
    page.wait_for_selector("#segment-list li:first-child button[aria-current=true]")
    start = float(page.input_value("#seek"))
    page.wait_for_function("start => Number(document.querySelector('#seek').value) > start + 0.1", arg=start)
    page.click("#play")
    page.wait_for_selector("#play:not([data-playing])")
    assert start + 0.1 < float(page.input_value("#seek"))
    assert start < last
    width = page.eval_on_selector("#seek", "view => view.clientWidth")
    page.click("#seek", position={"x": width / 4, "y": 40})
    quarter = float(page.input_value("#seek"))
    assert quarter == pytest.approx(float(page.get_attribute("#seek", "max")) / 4, abs=0.02)
    page.focus("#seek")
    page.keyboard.press("ArrowRight")
    assert float(page.input_value("#seek")) == pytest.approx(quarter + 0.5, abs=0.02)
    page.keyboard.press("Space")
    page.wait_for_selector("#play[data-playing]")
    page.keyboard.press("Space")
    page.wait_for_selector("#play:not([data-playing])")
    page.keyboard.press("End")
    page.click("#play")  # from the end it begins anew
    page.wait_for_selector("#play[data-playing]")


def test_a_recording_is_shown_while_it_comes_and_answered_as_a_file_of_it(page: Page, recognizer: Recognizer) -> None:
    record(page)
    page.wait_for_selector("#answer[data-live] #sure:has-text('in the last 1.0 s')")
    assert page.locator("#band .segment").count() > 0
    assert float(page.eval_on_selector("#level", "view => view.style.getPropertyValue('--hold')")) > 0.1
    assert len(np.unique([loudest_hz(page, "#spectrogram", part) for part in np.linspace(0.8, 0.99, 9)])) > 1
    page.click("#record")
    page.wait_for_selector("#segments:not([hidden])")
    sound = downloaded(page, "wav")
    prediction = recognizer.predict(sound)
    assert prediction.duration_s > 0.8
    assert bars(page) == percents(prediction.probabilities)
    assert page.inner_text("#answer-title") == prediction.emotion


def test_what_is_recorded_is_what_the_microphone_played(page: Page, folder: Path) -> None:
    record(page, 1.2)
    page.click("#record")
    page.wait_for_selector("#download-wav:visible")
    path = folder / "recorded.wav"
    path.write_bytes(downloaded(page, "wav"))
    heard = emogram.audio.load(path, RATE)
    played = soundfile.read(folder / "microphone.wav", dtype="float32")[0]
    # By pieces, because on a busy machine the microphone of the browser leaves out a buffer here and there.
    pieces = [heard[at : at + PIECE] for at in range(0, len(heard) - PIECE, PIECE)]
    assert max(likeness(played, piece) for piece in pieces if np.abs(piece).max() > 0.05) > 0.97


def likeness(wave: np.ndarray, piece: np.ndarray) -> float:
    """The largest correlation of a piece with any place of a wave, 1 where it is there as it is."""
    products = np.correlate(wave, piece, "valid")
    energies = np.convolve(np.square(wave), np.ones(len(piece)), "valid")
    return float(np.max(products / np.sqrt(np.maximum(energies, 1e-6) * np.sum(np.square(piece)))))


def test_the_real_life_test_compares_keeps_and_counts(page: Page, folder: Path) -> None:
    page.check("input[value=real-life]")
    for intended in ("happy", "sad"):
        page.check(f"input[name=intended][value={intended}]")
        record(page, 0.9)
        page.click("#record")
        page.wait_for_selector(f"#agreement:has-text('You meant {intended}')")
    heard = page.inner_text("#answer-title")
    agreeing = sum(heard == intended for intended in ("happy", "sad"))
    assert page.get_attribute("#agreement", "data-agrees") == str(heard == "sad").lower()
    assert f"{agreeing} of 2 agree" in page.inner_text("#tally-words")
    column = [*small_models.LABELS].index(heard)
    row = page.locator("#matrix tbody tr", has=page.locator("th:text-is('sad')"))
    assert row.locator("td").nth(column).inner_text() == "1"
    assert {path.parent.name for path in (folder / "kept").rglob("*.flac")} == {"happy", "sad"}
    page.check("input[value=listen]")
    page.check("input[value=real-life]")
    page.wait_for_selector("#tally-words:has-text('of 2 agree')")
    assert page.is_hidden("#adapt")
    page.click("#adapt-how-to summary")
    assert "emogram serve --recordings DIR --adapt" in page.inner_text("#adapt-how-to")


def test_why_is_drawn_over_the_picture_and_taken_away_again(page: Page, folder: Path) -> None:
    painted = "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    use(page, folder / "spoken.wav")
    assert page.eval_on_selector("#overlay", painted) == 1
    page.click("#why")
    page.wait_for_selector("#why-note:has-text('In colour: what spoke for')")
    assert page.eval_on_selector("#overlay", painted) > 30
    page.click("#why")
    assert page.eval_on_selector("#overlay", painted) == 1


def test_a_microphone_that_cannot_be_used_is_told_with_a_remedy(page: Page) -> None:
    refusals = {
        "NotAllowedError": "may not use the microphone",
        "NotFoundError": "There is no microphone",
        "NotReadableError": "Another program may be using it",
    }
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', window.refusal); }; }"
    )
    for name, told in refusals.items():
        page.evaluate("name => { window.refusal = name; }", name)
        page.click("#record")
        page.wait_for_selector(f"#problem:has-text('{told}')")
        assert page.inner_text("#record-label") == "Record"
    page.evaluate("delete navigator.mediaDevices.getUserMedia")


def test_a_file_that_is_no_sound_is_told_in_the_servers_words_and_the_next_one_works(page: Page, folder: Path) -> None:
    use(page, folder / "letter.wav", "#problem:has-text('letter.wav')")
    use(page, folder / "spoken.wav")
    assert page.inner_text("#problem") == ""


def test_a_server_that_asks_for_a_token_gets_it(page: Page) -> None:
    problem = json.dumps(
        {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "the token is missing"}
    )

    def answer(route: Any) -> None:
        given = route.request.headers.get("authorization")
        if given == "Bearer open sesame":
            route.continue_()
        else:
            route.fulfill(status=401, content_type="application/problem+json", body=problem)

    page.route("**/v1/model", answer)
    page.reload()
    page.wait_for_selector("#problem:has-text('the token is missing')")
    page.fill("#token", "open sesame")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-ready]")
    page.unroute("**/v1/model")
    page.evaluate("sessionStorage.clear()")


def test_nothing_sticks_out_on_a_small_phone(page: Page, folder: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    use(page, folder / "spoken.wav")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320
    page.check("input[value=real-life]")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320


def test_all_is_reached_by_keyboard_in_the_order_of_the_page(page: Page, folder: Path) -> None:
    use(page, folder / "spoken.wav")
    focused = "(({ id, name, dataset }) => id || name || dataset.download)(document.activeElement)"
    page.focus(".skip")
    reached: list[str] = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(focused))
    wanted = ["mode", "record", "file", "microphone", "seek", "play", "why", "json", "csv", "srt"]
    assert [name for name in reached if name in wanted] == wanted


RULES = """() => {
  const wrong = [];
  const shown = (one) => one.checkVisibility() && !one.closest("[aria-hidden=true]");
  const named = (one) => (one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent || "").trim()
    || (one.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id)?.textContent).join("");
  const all = [...document.querySelectorAll("*")];
  const ids = all.map((one) => one.id).filter(Boolean);
  if (new Set(ids).size !== ids.length) wrong.push("an id is there twice");
  for (const one of all) {
    for (const name of ["aria-labelledby", "aria-describedby", "for"]) {
      const id = one.getAttribute(name);
      if (id && !document.getElementById(id)) wrong.push(`${name}=${id} leads nowhere`);
    }
    if (one.tabIndex > 0) wrong.push(`${one.id}: a tabindex above 0`);
    if (one.hasAttribute("style") && one.closest("head")) wrong.push("an inline style");
  }
  for (const one of document.querySelectorAll("button, input, select, canvas[role], [role=meter], section, [role=region]")) {
    if (shown(one) && !named(one)) wrong.push(`<${one.tagName} id=${one.id}> has no name`);
  }
  for (const one of document.querySelectorAll("button, select, label.button, .segmented label, .choices label")) {
    const { width, height } = one.getBoundingClientRect();
    if (shown(one) && Math.min(width, height) < 24) wrong.push(`${one.id || one.textContent}: ${width} by ${height} is hard to hit`);
  }
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown).map((one) => Number(one.tagName[1]));
  if (levels[0] !== 1 || levels.filter((level) => level === 1).length !== 1) wrong.push("not one h1 first");
  if (document.querySelectorAll("main, header, footer").length !== 3) wrong.push("landmarks are missing");
  if (!document.documentElement.lang || !document.title) wrong.push("no language or title");
  if (!document.querySelector("[aria-live=polite]") || !document.querySelector("[role=alert]")) wrong.push("news is not told");
  for (const cell of document.querySelectorAll("th")) if (!cell.scope) wrong.push("a head of no row or column");
  return wrong;
}"""


def test_rules_of_accessibility_hold_at_rest_with_a_result_and_in_the_real_life_test(page: Page, folder: Path) -> None:
    assert page.evaluate(RULES) == []
    use(page, folder / "spoken.wav")
    assert page.evaluate(RULES) == []
    page.check("input[value=real-life]")
    assert page.evaluate(RULES) == []
    assert len(page.locator("[role=radiogroup] input[type=radio]").all()) == len(small_models.LABELS)


def test_less_motion_where_it_is_asked_for(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    assert page.eval_on_selector(".switch .track", "one => getComputedStyle(one, '::after').transitionDuration") == "0s"
    still = page.evaluate(
        """async () => {
          const { LiveSpectrogram } = await import("/spectrogram.js");
          return new LiveSpectrogram(document.createElement("canvas"), 16000).still;
        }"""
    )
    page.emulate_media(reduced_motion="no-preference")
    assert still is True


def test_transform_and_bands_agree_with_numpy(page: Page) -> None:
    frame = np.random.default_rng(0).normal(size=512)
    power = page.evaluate(
        """async (frame) => {
          const { Fourier } = await import("/fourier.js");
          return Array.from(new Fourier(frame.length).power(frame));
        }""",
        frame.tolist(),
    )
    assert power == pytest.approx(np.abs(np.fft.rfft(frame)) ** 2, rel=1e-9, abs=1e-9)


def test_without_the_runtime_the_page_says_how_to_get_it(page: Page) -> None:
    if RUNTIME:
        assert page.is_enabled("#in-browser")
    else:
        assert page.is_disabled("#in-browser")
        page.click("text=How to get it")
        assert "npm pack onnxruntime-web" in page.inner_text("#runtime-how-to")


@pytest.mark.skipif(not RUNTIME, reason=f"needs onnxruntime-web: {RUNTIME_VARIABLE} names the folder that npm unpacked")
def test_in_the_browser_it_answers_the_same_and_uploads_nothing(
    page: Page, folder: Path, recognizer: Recognizer
) -> None:
    sent: list[str] = []
    page.check("#in-browser")
    page.wait_for_selector("#in-browser:not([disabled])")
    page.on("request", lambda request: sent.append(request.url) if not request.url.startswith("blob:") else None)
    page.on("websocket", lambda socket: sent.append(socket.url))
    use(page, folder / "spoken.wav")
    answer = json.loads(downloaded(page, "json"))["prediction"]
    expected = recognizer.predict(folder / "spoken.wav")
    assert answer["emotion"] == expected.emotion
    assert answer["probabilities"] == pytest.approx(expected.probabilities, abs=0.01)
    assert re.search("nothing was uploaded", page.inner_text("#status"))
    record(page)
    page.wait_for_selector("#answer[data-live] #sure:has-text('in the last 1.0 s')")
    page.click("#record")
    page.wait_for_selector("#segments:not([hidden])")
    assert [url for url in sent if not url.endswith("recorder-worklet.js")] == []
