source scripts/setup.sh
need_node; need_go; need_python nats-py; need_reference; need_nats_tool
configure release -DPIPIT_REFERENCE="$reference"
build release pipit-server pipit
