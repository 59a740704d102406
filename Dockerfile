# One file, four images: docker build --target pennant-operator (or -serving, -newsreco, -mlflow) .
# What images have in common is one layer, made once and kept once wherever it is pulled to. Our own
# code is the last: an edit reinstalls nothing and ships a layer of a few hundred kilobytes.
# A release is built on this image's digest of the day, which it records; Renovate may pin one here.
ARG PYTHON_IMAGE=python:3.12-slim
# serving-boosters adds XGBoost, LightGBM and onnxruntime: 100 MB, of which 37 to pull.
ARG SERVING_LOCK=serving

# uv and the build backend are lent to the steps that need them (`--mount`): no image holds the
# backend, and only the serving image holds uv.
# (`code` copies them, or buildah 1.28 would mount nothing when it has this stage in its cache.)
FROM ${PYTHON_IMAGE} AS tools
COPY requirements/image-tools.txt /requirements.txt
RUN python3 -m venv /tools \
    && /tools/bin/pip install --no-cache-dir --no-compile --no-deps --require-hashes \
    --requirement /requirements.txt

FROM ${PYTHON_IMAGE} AS code
COPY --from=tools /tools /tools
WORKDIR /src
COPY pyproject.toml README.md ./
COPY cli cli
COPY registry registry
COPY operator operator
COPY serving serving
COPY examples examples
RUN /tools/bin/uv pip install --python /tools --target /app --no-cache --offline --no-deps \
    --no-build-isolation --compile-bytecode .

# What every image runs on: no package manager of ours, no root, and byte code from the build (at
# run time the root file system is read-only). The official images hold none of the standard library
# (13 MB): every start would compile the 230 modules that it needs, and could not keep the result.
# The passwd line gives the user a name, which MLflow records with a run, and a home that can be
# written; the .pth file puts our code in /app on the path of every python of /venv.
FROM ${PYTHON_IMAGE} AS runtime
RUN echo 'pennant:x:65532:65532:Pennant:/tmp:/usr/sbin/nologin' >> /etc/passwd \
    && python3 -m compileall -q -j 0 \
    -x '/(test|idlelib|lib2to3|tkinter|ensurepip|(site|dist)-packages)/' \
    "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && python3 -m venv --without-pip /venv \
    && for site in /venv/lib/python3*/site-packages; do echo /app > "$site/pennant.pth"; done
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    MLFLOW_DISABLE_TELEMETRY=true
LABEL org.opencontainers.image.vendor="Pennant" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /

FROM runtime AS pennant-operator
LABEL org.opencontainers.image.title="pennant-operator" \
      org.opencontainers.image.description="Rolls model-serving pods when an MLflow alias moves"
# The lock stays with what was installed from it. (If it were mounted, buildah 1.28 would not see
# that it changed.) The packages' own tests, a third of the files, need no byte code.
COPY requirements/operator.txt /venv/requirements.txt
RUN --mount=type=bind,from=tools,source=/tools,target=/tools \
    /tools/bin/uv pip sync --python /venv --no-cache --system-certs --require-hashes \
    /venv/requirements.txt \
    && python -m compileall -q -j 0 -x '/tests/(?!__init__)' /venv/lib
COPY --from=code /app /app
USER 65532:65532
ENTRYPOINT ["python", "-m", "pennant_operator"]

# What serving and MLflow's server both need (a contract test holds their locks to it).
FROM runtime AS shared
COPY requirements/shared.txt /venv/shared.txt
RUN --mount=type=bind,from=tools,source=/tools,target=/tools \
    /tools/bin/uv pip sync --python /venv --no-cache --system-certs --require-hashes \
    /venv/shared.txt \
    && python -m compileall -q -j 0 -x '/tests/(?!__init__)' /venv/lib

FROM shared AS pennant-serving
ARG SERVING_LOCK
LABEL org.opencontainers.image.title="pennant-serving" \
      org.opencontainers.image.description="Fetches and serves one version of an MLflow model"
# For `fetch`, and for images that are built on this one (docs/environment.md). The program alone,
# so that no lock and no environment counts it in; its licences, version and list of parts lie where
# scanners look for them.
COPY --from=tools /tools/bin/uv /venv/bin/uv
COPY --from=tools /tools/lib/python3*/site-packages/uv-*.dist-info /usr/local/share/uv.dist-info
COPY requirements/${SERVING_LOCK}.txt /venv/requirements.txt
# LightGBM's wheel wants the system's OpenMP, which slim images lack.
RUN --mount=type=bind,from=tools,source=/tools,target=/tools \
    /tools/bin/uv pip sync --python /venv --no-cache --system-certs --require-hashes \
    /venv/requirements.txt \
    && python -m compileall -q -j 0 -x '/tests/(?!__init__)' /venv/lib \
    && cp /venv/lib/python3*/site-packages/scikit_learn.libs/libgomp-*.so.1* /usr/lib/libgomp.so.1
COPY --from=code /app /app
USER 65532:65532
CMD ["python", "-m", "pennant_serving"]

# The example needs what serving needs (requirements/newsreco.txt is held equal by a contract test):
# training and serving from one image is how pickles and libraries agree.
FROM pennant-serving AS pennant-newsreco
LABEL org.opencontainers.image.title="pennant-newsreco" \
      org.opencontainers.image.description="News recommender: training, serving and load generator"

FROM shared AS pennant-mlflow
LABEL org.opencontainers.image.title="pennant-mlflow" \
      org.opencontainers.image.description="MLflow server for the demo and the tests"
COPY requirements/mlflow.txt /venv/requirements.txt
RUN --mount=type=bind,from=tools,source=/tools,target=/tools \
    /tools/bin/uv pip sync --python /venv --no-cache --system-certs --require-hashes \
    /venv/requirements.txt \
    && python -m compileall -q -j 0 -x '/tests/(?!__init__)' /venv/lib
USER 65532:65532
CMD ["mlflow", "server"]
