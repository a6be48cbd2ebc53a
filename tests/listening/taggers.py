"""Tags songs with networks trained on real recordings, which have never heard this program.

musicnn and VGG by Pons & Serra, "musicnn: pre-trained convolutional neural networks for music
audio tagging" (2019), trained on the Million Song Dataset and MagnaTagATune. Their graphs and
weights are read from the wheel ``musicnn`` (extra ``listening``), whose own code needs a TensorFlow
that is no longer published.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

RATE = 16_000  # Hz, and the other settings with which the networks were trained
_HOP, _FFT, _MELS = 256, 512, 96
_PATCH_FRAMES = 187  # 3 s
_PATCHES_AT_ONCE = 16
# Names of tensors in the graphs.
_SOUND, _IS_TRAINING = "model/Placeholder", "model/Placeholder_2"
_LOGITS = {"musicnn": "model/dense_1/BiasAdd", "vgg": "model/dense/BiasAdd"}
_EMBEDDING = "model/dense/BiasAdd"  # of musicnn: 200 numbers before the tags
MSD_TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s",
    "alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists",
    "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s", "chill",
    "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
    "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country",
    "easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock",
    "60s", "rnb", "indie pop", "sad", "House", "happy",
)  # fmt: skip
MTT_TAGS = (
    "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast",
    "piano", "ambient", "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male",
    "singing", "vocals", "no vocals", "harpsichord", "loud", "quiet", "flute", "woman",
    "male vocal", "no vocal", "pop", "soft", "sitar", "solo", "man", "classic", "choir", "voice",
    "new age", "dance", "male voice", "female vocal", "beats", "harp", "cello", "no voice",
    "weird", "country", "metal", "female voice", "choral",
)  # fmt: skip


@dataclass(frozen=True)
class Hearing:
    """What the networks hear in one song.

    Parameters
    ----------
    msd, mtt : (50,) array
        Logits of :data:`MSD_TAGS` and :data:`MTT_TAGS`, means over the song and both networks.
    embedding : (200,) array
        Mean embedding of the musicnn network of the Million Song Dataset.
    """

    msd: npt.NDArray[np.float64]
    mtt: npt.NDArray[np.float64]
    embedding: npt.NDArray[np.float64]


def hear(audio: npt.NDArray[np.float32]) -> Hearing:
    """Tag mono audio at :data:`RATE` of at least three seconds."""
    patches = _mel_patches(audio)
    msd, embedding = _Network("MSD_musicnn")(patches)
    logits = {
        name: _Network(name)(patches)[0].mean(0) for name in ("MSD_vgg", "MTT_musicnn", "MTT_vgg")
    }
    return Hearing(
        msd=(msd.mean(0) + logits["MSD_vgg"]) / 2,
        mtt=(logits["MTT_musicnn"] + logits["MTT_vgg"]) / 2,
        embedding=embedding.mean(0),
    )


def hear_file(path: Path, seconds: float | None = None) -> Hearing:
    """Tag an audio file, or the first `seconds` of it."""
    audio, _ = librosa.load(path, sr=RATE, mono=True, duration=seconds)
    return hear(audio)


def _mel_patches(audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Logarithmic mel spectrogram in patches of three seconds: (patches, frames, bands)."""
    mel = librosa.feature.melspectrogram(
        y=audio, sr=RATE, hop_length=_HOP, n_fft=_FFT, n_mels=_MELS
    ).T
    scaled = np.log10(10_000 * mel + 1).astype(np.float32)
    count = len(scaled) // _PATCH_FRAMES
    return scaled[: count * _PATCH_FRAMES].reshape(count, _PATCH_FRAMES, _MELS)


class _Network:
    """One of the networks, with its variables replaced by the values of the checkpoint."""

    def __init__(self, name: str) -> None:
        self._outputs = [_LOGITS[name.rsplit("_", 1)[1]], _EMBEDDING]
        self._session = _load(name, tuple(self._outputs))

    def __call__(self, patches: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float64]]:
        """Outputs for patches, (patches, values) each."""
        parts = [
            self._session.run(
                [f"{output}:0" for output in self._outputs],
                {
                    f"{_SOUND}:0": patches[at : at + _PATCHES_AT_ONCE],
                    f"{_IS_TRAINING}:0": False,
                },
            )
            for at in range(0, len(patches), _PATCHES_AT_ONCE)
        ]
        return [np.concatenate(list(part), dtype=np.float64) for part in zip(*parts, strict=True)]


@cache
def _load(name: str, outputs: tuple[str, ...]) -> Any:
    """Session with the network `name` of the wheel."""
    folder = Path(str(distribution("musicnn").locate_file(f"musicnn/{name}")))
    meta = meta_graph_pb2.MetaGraphDef()
    meta.ParseFromString((folder / ".meta").read_bytes())
    checkpoint = tf.compat.v1.train.NewCheckpointReader(f"{folder}/")
    used = tf.compat.v1.graph_util.extract_sub_graph(meta.graph_def, list(dict.fromkeys(outputs)))
    for node in used.node:
        if node.op == "VariableV2":
            value = checkpoint.get_tensor(node.name)
            _make_constant(node, value)
        node.attr.pop("_output_shapes", None)
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(used, name="")
    return tf.compat.v1.Session(graph=graph)


def _make_constant(node: Any, value: npt.NDArray[np.float32]) -> None:
    """Turn a variable of a graph into a constant."""
    name = node.name
    node.Clear()
    node.name, node.op = name, "Const"
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
