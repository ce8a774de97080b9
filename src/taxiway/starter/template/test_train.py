"""Run as it is: `python test_train.py`. Or, where pytest is installed: `python -m pytest`."""

from train import make_model, read_table


def test_the_model_separates_the_classes():
    table = read_table()
    features, label = table.drop(columns="benign"), table["benign"]

    accuracy = make_model().fit(features[::2], label[::2]).score(features[1::2], label[1::2])

    assert accuracy > 0.9


if __name__ == "__main__":
    test_the_model_separates_the_classes()
    print("ok")
