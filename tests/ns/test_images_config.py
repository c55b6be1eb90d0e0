# SPDX-License-Identifier: Apache-2.0
"""orlop-image: what becomes of an image's config; numbered as in test_images_cases.py."""

import pytest
from images_lib import Image, Store, as_json, file, layer, make_config

RAW = layer(file("f"))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One for all: every case has a name of its own."""
    return Store(tmp_path_factory.mktemp("config") / "store")


def image_with(tmp_path, config):
    config = config if isinstance(config, bytes) else make_config([RAW], config=config)
    return Image(RAW, config=config).write(tmp_path / "a.tar")


def imported(store, tmp_path, config):
    text = store.ok("import", image_with(tmp_path, config))
    return store.image("test:1"), text


@pytest.mark.parametrize("said, kept", [("u", "u"), ("u:g", "u:g"), ("1:2", "1:2"), ("u:", "u"), ("1000", "1000")])
def test_65_user(store, tmp_path, said, kept):
    assert imported(store, tmp_path, {"User": said})[0]["User"] == kept


@pytest.mark.parametrize("said", ["u g", "u\n0", ":g", "a:b:c", "\t", "x" * 300])
def test_65_users_that_are_none_refuse_the_image(store, tmp_path, said):
    """To leave the user out would make it root."""
    store.refused("import", image_with(tmp_path, {"User": said}), saying="User")


def test_65_no_user(store, tmp_path):
    assert "User" not in imported(store, tmp_path, {"User": ""})[0]


def test_66_env(store, tmp_path):
    config = {"Env": ["A=1", "NOTHING", "B=two words", "A=2", "=x", "C=", "AB=3", "Q=say \"hi\"; # no comment",
                      "N=a\nb\\n\tc", "T= pad ", "U=\u00fc\u4e16", "E=back\\"]}
    image, text = imported(store, tmp_path, config)
    assert image["Env"] == ["B=two words", "A=2", "C=", "AB=3", "Q=say \"hi\"; # no comment",
                            "N=a\nb\\n\tc", "T= pad ", "U=\u00fc\u4e16", "E=back\\"]
    assert text.count("left out of the config") == 2 and '"NOTHING"' in text


@pytest.mark.parametrize("config, entry, cmd", [
    ({"Entrypoint": None, "Cmd": None}, None, None), ({"Entrypoint": [], "Cmd": []}, None, None), ({}, None, None),
    ({"Entrypoint": ["/bin/sh", "-c", "a 'b' \"c\""], "Cmd": ["x", ""]}, ["/bin/sh", "-c", "a 'b' \"c\""], ["x", ""]),
    ({"Entrypoint": [""], "Cmd": [" ", "\n", "#"]}, [""], [" ", "\n", "#"]),
])
def test_67_entrypoint_and_cmd(store, tmp_path, config, entry, cmd):
    image, _ = imported(store, tmp_path, config)
    assert (image.get("Entrypoint"), image.get("Cmd")) == (entry, cmd)


def test_67_shell_form_is_no_config(store, tmp_path):
    store.refused("import", image_with(tmp_path, {"Cmd": "echo hi"}), saying='"Cmd"')
    store.refused("import", image_with(tmp_path, {"Cmd": ["a", 1]}), saying='"Cmd"')


@pytest.mark.parametrize("said, kept", [("/srv", "/srv"), ("srv", "/srv"), ("/a b/../c", "/a b/../c")])
def test_68_workdir(store, tmp_path, said, kept):
    assert imported(store, tmp_path, {"WorkingDir": said})[0]["WorkingDir"] == kept


def test_69_volumes(store, tmp_path):
    image, text = imported(store, tmp_path, {"Volumes": {"/data": {}, "/b//c/": {}, "rel": {}, "/../x": {}, "/": {}}})
    assert sorted(image["Volume"]) == ["/b/c", "/data"]
    assert text.count("left out") == 3


@pytest.mark.parametrize("said, kept", [("SIGTERM", True), ("9", True), ("SIGRTMIN+3", True), ("RTMAX-1", True),
                                        ("kill -9", False), ("x" * 20, False)])
def test_70_stop_signal(store, tmp_path, said, kept):
    image, text = imported(store, tmp_path, {"StopSignal": said})
    assert image.get("StopSignal") == (said if kept else None) and ("left out" in text) != kept


def test_71_healthcheck_and_73_onbuild_are_accepted(store, tmp_path):
    image, _ = imported(store, tmp_path, {"Healthcheck": {"Test": ["NONE"]}, "OnBuild": ["RUN x"], "Shell": ["/x"]})
    assert "OnBuild" not in image


def test_72_ports(store, tmp_path):
    good = ["80", "80/tcp", "53/udp", "8000-8010/tcp", "65535/sctp"]
    bad = ["0", "65536", "http", "80/xyz", "80-", "-80", "80/tcp/udp", "+80"]
    image, text = imported(store, tmp_path, {"ExposedPorts": {p: {} for p in good + bad}})
    assert sorted(image["ExposedPort"]) == sorted(good) and text.count("left out") == len(bad)


def test_73_labels(store, tmp_path):
    labels = {"a": "", "b.c/d": "x=y", "multi": "line 1\nline 2\n"}
    image, _ = imported(store, tmp_path, {"Labels": labels})
    assert sorted(image["Label"]) == sorted(f"{k}={v}" for k, v in labels.items())


def raw_config(text):
    head = as_json(make_config([RAW]))[:-1]
    return head + b"," + text + b"}"


@pytest.mark.parametrize("text", [
    rb'"x": "\ud83d\ude00 \u00e9 \n \""', b'"x": 9223372036854775807', b'"x": 1.5e300', b'"x": [[[[[[1]]]]]]',
], ids=["surrogate-pair", "int64", "float", "nested"])
def test_74_json_that_is_fine(store, tmp_path, text):
    store.ok("import", image_with(tmp_path, raw_config(text)))


@pytest.mark.parametrize("text", [
    b'"os": "linux"', rb'"x": "\ud800"', rb'"x": "a\u0000b"', b'"x": ' + b"[" * 10_000 + b"]" * 10_000, b'"x": 1e999',
    b'"x": 99999999999999999999999', b'"x": "\xff"', b'"x": tru', b'"x": "tab\there"', b'"x": 1} {"y": 2',
    b'"x": NaN', b"/* c */", b'"x": "' + b"a" * (5 << 20) + b'"',
], ids=["duplicate-key", "lone-surrogate", "nul", "depth", "float-range", "int-range", "utf-8", "literal", "control",
        "two-values", "nan", "comment", "too-large"])
def test_74_json_that_is_not(store, tmp_path, text):
    store.refused("import", image_with(tmp_path, raw_config(text)), saying="error:")


@pytest.mark.parametrize("config", [b"", b"[]", b"null", b'{"rootfs": 1}', b'{"rootfs": {"diff_ids": [1]}}',
                                    b'{"rootfs": {"diff_ids": {}}}', b"{}"])
def test_74_configs_of_the_wrong_shape(store, tmp_path, config):
    store.refused("import", image_with(tmp_path, config), saying="error:")


@pytest.mark.parametrize("name", ["../../x", "a/../b", "/etc", "A:1", "a b", "a\nb", "a:" + "t" * 200, "", "-x",
                                  "a@sha256:12", "a+b", ".hidden", "a//b"])
def test_names_that_are_none(store, tmp_path, name):
    path = Image(RAW).write(tmp_path / "a.tar")
    done = store.run("import", path, f"--name={name}")
    assert done.returncode == 1 and "image reference" in done.stderr
    assert not [v for v in store.visible() if v.endswith(("x:latest", "b:latest"))]
