# One file, four images: docker build --target pennant-operator (or -serving, -newsreco, -mlflow) .
# Dependencies and our own code are layers of their own: an edit to the source reinstalls nothing
# and ships a layer of a few hundred kilobytes.
ARG PYTHON_IMAGE=python:3.12-slim
# serving-boosters adds XGBoost, LightGBM and onnxruntime: 100 MB, of which 37 to pull.
ARG SERVING_LOCK=serving

# pip and the build backend live in /tools, so that /venv, the only thing shipped, holds neither.
FROM ${PYTHON_IMAGE} AS tools
ENV PIP_NO_CACHE_DIR=1
RUN python3 -m venv /tools && /tools/bin/pip install hatchling==1.28.0
# The .pth file puts our code in /app on the path of every python of /venv.
RUN python3 -m venv --without-pip /venv \
    && for site in /venv/lib/python3*/site-packages; do echo /app > "$site/pennant.pth"; done

FROM tools AS code
WORKDIR /src
COPY pyproject.toml README.md ./
COPY registry registry
COPY operator operator
COPY serving serving
COPY examples examples
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /tools/bin/pip install --no-deps --no-index --target /app /wheels/pennant-*.whl

# What every image runs on: no package manager of ours, no root, and pip's byte code from the build
# (at run time the root file system is read-only). The passwd line gives the user a name, which
# MLflow records with a run, and a home that can be written.
FROM ${PYTHON_IMAGE} AS runtime
RUN echo 'pennant:x:65532:65532:Pennant:/tmp:/usr/sbin/nologin' >> /etc/passwd
# The official images hold no byte code of the standard library (13 MB): every start would compile
# the 230 modules that it needs, and could not keep the result.
RUN python3 -m compileall -q -x '/(test|idlelib|lib2to3|tkinter|ensurepip|(site|dist)-packages)/' \
    "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    MLFLOW_DISABLE_TELEMETRY=true
LABEL org.opencontainers.image.vendor="Pennant" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /
USER 65532:65532

FROM tools AS operator-deps
COPY requirements/operator.txt /requirements.txt
RUN /tools/bin/pip --python /venv/bin/python install --require-hashes -r /requirements.txt

FROM runtime AS pennant-operator
LABEL org.opencontainers.image.title="pennant-operator" \
      org.opencontainers.image.description="Rolls model-serving pods when an MLflow alias moves"
COPY --from=operator-deps /venv /venv
COPY --from=code /app /app
ENTRYPOINT ["python", "-m", "pennant_operator"]

FROM tools AS serving-deps
ARG SERVING_LOCK
COPY requirements/${SERVING_LOCK}.txt /requirements.txt
RUN /tools/bin/pip --python /venv/bin/python install --require-hashes -r /requirements.txt \
    && cp /venv/lib/python3*/site-packages/scikit_learn.libs/libgomp-*.so.1* /libgomp.so.1

FROM runtime AS pennant-serving
LABEL org.opencontainers.image.title="pennant-serving" \
      org.opencontainers.image.description="Fetches and serves one version of an MLflow model"
COPY --from=serving-deps /venv /venv
# LightGBM's wheel wants the system's OpenMP, which slim images lack.
COPY --from=serving-deps /libgomp.so.1 /usr/lib/
COPY --from=code /app /app
CMD ["python", "-m", "pennant_serving"]

# The example needs what serving needs (requirements/newsreco.txt is held equal by a contract test):
# training and serving from one image is how pickles and libraries agree.
FROM pennant-serving AS pennant-newsreco
LABEL org.opencontainers.image.title="pennant-newsreco" \
      org.opencontainers.image.description="News recommender: training, serving and load generator"

FROM tools AS mlflow-deps
COPY requirements/mlflow.txt /requirements.txt
RUN /tools/bin/pip --python /venv/bin/python install --require-hashes -r /requirements.txt

FROM runtime AS pennant-mlflow
LABEL org.opencontainers.image.title="pennant-mlflow" \
      org.opencontainers.image.description="MLflow server for the demo and the tests"
COPY --from=mlflow-deps /venv /venv
CMD ["mlflow", "server"]
