"""What Keras imports of other packages as it starts is imported once it is used, and works then."""

import json
import subprocess
import sys

from repro.shim import late_imports

LIBRARY = next(path for path in sys.path if path.endswith("workflow/lib"))
PROGRAM = f"""\
import json, sys
sys.path.insert(0, {LIBRARY!r})
from repro.shim import late_imports

late_imports.install()
import inspect
import keras
import numpy as np
import tensorflow as tf

def of_others():
    names = ("jinja2", "joblib", "matplotlib", "pandas", "PIL", "sklearn")
    return [name for name in names if name in sys.modules]

inspect.getmodule(tf.function(lambda x: x + 1)(tf.constant(1)))  # looks at every module's file
found = {{"at first": of_others()}}
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
array = np.arange(8, dtype="float32").reshape(4, 2)
predicted = model.predict(array, verbose=0)
import pandas
frame = pandas.DataFrame(array)
found["frame"] = bool((model.predict(frame, verbose=0) == predicted).all())
found["frames"] = of_others()
found["picture"] = keras.visualization.draw_bounding_boxes.__name__
found["own picture"] = keras.src.visualization.plot_image_gallery.plt.__name__
part = "keras.src.wrappers.sklearn_wrapper"
sys.modules[part] = None  # cannot be imported
found["failures"] = []
for _ in range(2):
    try:
        keras.wrappers.SKLearnRegressor
    except ImportError as error:
        found["failures"].append(error.name)
del sys.modules[part]
exec("from keras.wrappers import *", starred := {{}})
found["starred"] = "SKLearnRegressor" in starred
from keras.wrappers import SKLearnRegressor
import sklearn.base
found["wrapper"] = issubclass(SKLearnRegressor, sklearn.base.RegressorMixin)
found["twin"] = tf.keras.wrappers.SKLearnRegressor is SKLearnRegressor
found["other name"] = hasattr(keras.wrappers, "no_such_name")
found["late"] = sorted(late_imports.LATE & set(sys.modules))
print(json.dumps(found))
"""


def test_what_keras_imports_of_others_comes_when_it_is_used() -> None:
    done = subprocess.run(
        [sys.executable, "-IB", "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("late") == sorted(late_imports.LATE)  # Keras has each of them still
    assert found == {
        "at first": ["PIL"],  # 20 milliseconds
        "frame": True,
        "frames": ["pandas", "PIL"],
        "picture": "draw_bounding_boxes",
        "own picture": "matplotlib.pyplot",
        "failures": ["keras.src.wrappers.sklearn_wrapper"] * 2,
        "starred": True,
        "wrapper": True,
        "twin": True,
        "other name": False,
    }
