"""`pennant image build`: one version's packages on the serving image.

build.py is what happens; context.py makes the folder that is built from; builders.py runs docker or
buildah.
"""
