#!/usr/bin/env bash
# The first Service of the README, beside `make run`: a program of this machine is registered, and answers at the address
# of a load balancer. Run it in the directory of Fairlead; it needs curl and kubectl.
set -euo pipefail

said=$(mktemp)
.venv/bin/fairlead register web --port 9000 -- python3 -m http.server 9000 >"$said" 2>&1 &
trap 'kill $!; rm "$said"' EXIT
until grep -q registered "$said"; do
    kill -0 $! || { cat "$said"; exit 1; }
    sleep 0.2
done

curl -s http://127.0.0.1:8080/api/v1/namespaces/default/services \
    -H 'Content-Type: application/json' \
    -d '{"metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", "selector": {"app": "web"},
         "ports": [{"port": 8000, "targetPort": 9000}]}}'

export KUBECONFIG=$PWD/.data/kubeconfig
kubectl get services
kubectl wait --for=condition=Programmed service/web
curl http://$(kubectl get service web -o jsonpath='{.status.loadBalancer.ingress[0].ip}'):8000/
