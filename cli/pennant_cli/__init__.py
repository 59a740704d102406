"""The command line: `pennant`, and `kubectl pennant`.

It starts at once: what a command needs, MLflow's client above all, is imported when it runs. What a
command made is on standard output, what went wrong on standard error.

    exit code 0   done
    exit code 1   it could not be done; standard error says why, and what to do
    exit code 2   wrongly called; standard error says which argument
    exit code 3   refused: by gates, a hold, or what a check found

    app.py            the commands of all rooms as one program
    packages/         `pennant lock`, `pennant image build`: what a bundle asks for, settled
    registry/         `pennant register`, `promote` and what else moves an alias or tells of it
    checks/           `pennant check`, `diff`, `doctor`: what looks, and changes nothing
    serve/            `pennant serve`: the server on this machine, which follows an alias
    kubectl.py        `kubectl pennant`, the same distribution under another name
    cluster/          its commands: what is so in the cluster, why, and what would change it
    decisions/        `pennant replay`, `pennant audit`: what the operator recorded
    program.py        runs them, and ends with their exit code
    output.py         what commands print: text, JSON or YAML
    exit_codes.py     how they end
    version_names.py  MODEL/VERSION
    pointer_names.py  MODEL@ALIAS
"""
