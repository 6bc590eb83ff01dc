# The configuration of every service. Sourced by `up`, which sets `password` and `heat_key` before it calls `write_config`.
# shellcheck shell=bash
# shellcheck disable=SC2154  # set in lib.sh and up
bus_url=rabbit://guest:guest@$LAB_HOST:$p_bus/
identity_url=http://$LAB_HOST:$p_keystone/v3

db() { # DATABASE
  echo "mysql+pymysql://lab:$password@$LAB_HOST:$p_db/$1?charset=utf8"
}

creds() { # SECTION USER
  cat <<EOF

[$1]
auth_url = $identity_url
auth_type = password
username = $2
password = $password
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne
EOF
}

authtoken() { # USER
  creds keystone_authtoken "$1"
  cat <<EOF
www_authenticate_uri = $identity_url
memcached_servers = $LAB_HOST:$p_cache
service_token_roles = service
service_token_roles_required = true
EOF
  creds service_user "$1"
  echo "send_service_user_token = true"
}

pool() { printf 'max_pool_size = 10\nmax_overflow = 20\n'; }
concurrency() { printf '\n[oslo_concurrency]\nlock_path = %s/lock/%s\n' "$data" "$1"; }

config_keystone() {
  cat >"$etc/keystone/keystone.conf" <<EOF
[DEFAULT]
use_stderr = true
[database]
connection = $(db keystone)
$(pool)
[token]
provider = fernet
[fernet_tokens]
key_repository = $data/keystone/fernet-keys
[credential]
key_repository = $data/keystone/credential-keys
[cache]
enabled = true
backend = dogpile.cache.pymemcache
memcache_servers = $LAB_HOST:$p_cache
[identity]
# cheap hashes: this is a laboratory
password_hash_rounds = 4
EOF
}

config_glance() {
  cp "$venv/etc/glance/glance-api-paste.ini" "$etc/glance/"
  cat >"$etc/glance/glance-api.conf" <<EOF
[DEFAULT]
use_stderr = true
enabled_backends = file:file
enabled_import_methods = [glance-direct,web-download,copy-image]
public_endpoint = http://$LAB_HOST:$p_glance
worker_self_reference_url = http://$LAB_HOST:$p_glance
[database]
connection = $(db glance)
$(pool)
[image_format]
# let test suites upload bytes that are no image of the format they claim
require_image_format_match = false
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = $data/glance/images
[os_glance_staging_store]
filesystem_store_datadir = $data/glance/staging
[os_glance_tasks_store]
filesystem_store_datadir = $data/glance/tasks
[paste_deploy]
flavor = keystone
config_file = $etc/glance/glance-api-paste.ini
$(authtoken glance)
$(concurrency glance)
EOF
  mkdir -p "$data/glance/images" "$data/glance/staging" "$data/glance/tasks"
}

config_placement() {
  cat >"$etc/placement/placement.conf" <<EOF
[DEFAULT]
use_stderr = true
[placement_database]
connection = $(db placement)
$(pool)
[api]
auth_strategy = keystone
$(authtoken placement)
EOF
}

config_nova() {
  cp "$venv/etc/nova/api-paste.ini" "$etc/nova/"
  cat >"$etc/nova/nova.conf" <<EOF
[DEFAULT]
use_stderr = true
host = lab-host-1
my_ip = $LAB_HOST
state_path = $data/nova
transport_url = $bus_url
compute_driver = labfake.LabDriver
allow_resize_to_same_host = true
update_resources_interval = 60
vif_plugging_is_fatal = false
vif_plugging_timeout = 0
compute_monitors =
[api]
auth_strategy = keystone
[api_database]
connection = $(db nova_api)
$(pool)
[database]
connection = $(db nova_cell1)
$(pool)
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 60
[filter_scheduler]
track_instance_changes = false
[cache]
enabled = true
backend = dogpile.cache.pymemcache
memcache_servers = $LAB_HOST:$p_cache
[wsgi]
api_paste_config = $etc/nova/api-paste.ini
[vnc]
enabled = true
server_listen = $LAB_HOST
server_proxyclient_address = $LAB_HOST
novncproxy_base_url = http://$LAB_HOST:$((6080+LAB_PORT_OFFSET))/vnc_lite.html
[oslo_messaging_notifications]
driver = noop
$(authtoken nova)
$(creds placement placement)
$(creds neutron neutron)
$(creds cinder cinder)
catalog_info = block-storage::publicURL
os_region_name = RegionOne
[glance]
api_servers = http://$LAB_HOST:$p_glance
$(concurrency nova)
EOF
  # With this beside nova.conf, map_cell0 makes the name `nova_cell0`.
  printf '[database]\nconnection = %s\n' "$(db nova)" >"$etc/nova/cell0.conf"
}

config_neutron() {
  cp "$venv/etc/neutron/api-paste.ini" "$etc/neutron/"
  cat >"$etc/neutron/neutron.conf" <<EOF
[DEFAULT]
use_stderr = true
host = lab-host-1
state_path = $data/neutron
transport_url = $bus_url
core_plugin = ml2
service_plugins = router,qos,trunk,network_ip_availability,auto_allocate,port_forwarding,metering
api_paste_config = $etc/neutron/api-paste.ini
api_workers = 1
rpc_workers = 0
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
dhcp_agent_notification = false
allow_overlapping_ips = true
max_allowed_address_pair = 250
[database]
connection = $(db neutron)
$(pool)
[quotas]
quota_network = 1000
quota_subnet = 1000
quota_port = 5000
quota_router = 500
quota_floatingip = 500
quota_security_group = 1000
quota_security_group_rule = 10000
$(authtoken neutron)
$(creds nova nova)
$(creds placement placement)
$(concurrency neutron)
EOF
  cat >"$etc/neutron/ml2_conf.ini" <<EOF
[ml2]
type_drivers = flat,vlan,vxlan,local
tenant_network_types = vxlan
mechanism_drivers = labbind,openvswitch
extension_drivers = port_security,qos,dns
[ml2_type_flat]
flat_networks = public
[ml2_type_vlan]
network_vlan_ranges = physnet1:100:199
[ml2_type_vxlan]
vni_ranges = 1:5000
[securitygroup]
enable_security_group = true
EOF
}

config_cinder() {
  cp "$venv/etc/cinder/api-paste.ini" "$venv/etc/cinder/resource_filters.json" "$etc/cinder/"
  cat >"$etc/cinder/cinder.conf" <<EOF
[DEFAULT]
use_stderr = true
host = lab-host-1
my_ip = $LAB_HOST
state_path = $data/cinder
image_conversion_dir = $data/cinder/conversion
transport_url = $bus_url
auth_strategy = keystone
api_paste_config = $etc/cinder/api-paste.ini
resource_query_filters_file = $etc/cinder/resource_filters.json
enabled_backends = lab
default_volume_type = lab
glance_api_servers = http://$LAB_HOST:$p_glance
volume_clear = none
backend_stats_polling_interval = 60
[lab]
volume_driver = labdrivers.volume.FileDriver
volume_backend_name = lab
labfile_dir = $data/cinder/volumes
[database]
connection = $(db cinder)
$(pool)
[coordination]
backend_url = file://$data/cinder/coordination
[cinder_sys_admin]
helper_command = $venv/bin/privsep-helper --config-file $etc/cinder/cinder.conf
[privsep_osbrick]
helper_command = $venv/bin/privsep-helper --config-file $etc/cinder/cinder.conf
[oslo_messaging_notifications]
driver = noop
$(authtoken cinder)
$(creds nova nova)
$(concurrency cinder)
EOF
  mkdir -p "$data/cinder/coordination" "$data/cinder/conversion" "$data/cinder/volumes"
}

config_swift() {
  local me kind p_kind
  me=$(id -un)
  cat >"$etc/swift/swift.conf" <<EOF
[swift-hash]
swift_hash_path_prefix = lab
swift_hash_path_suffix = lab
EOF
  for kind in account container object; do
    p_kind=p_$kind
    cat >"$etc/swift/$kind-server.conf" <<EOF
[DEFAULT]
bind_ip = $LAB_HOST
bind_port = ${!p_kind}
user = $me
swift_dir = $etc/swift
devices = $data/swift
mount_check = false
disable_fallocate = true
workers = 0
log_level = WARNING
[pipeline:main]
pipeline = $kind-server
[app:$kind-server]
use = egg:swift#$kind
[$kind-replicator]
[$kind-updater]
[$kind-auditor]
[object-reconstructor]
EOF
  done
  cat >"$etc/swift/proxy-server.conf" <<EOF
[DEFAULT]
bind_ip = $LAB_HOST
bind_port = $p_swift
user = $me
swift_dir = $etc/swift
workers = 0
log_level = WARNING
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging cache listing_formats container_sync bulk tempurl ratelimit crossdomain authtoken keystoneauth formpost staticweb copy container-quotas account-quotas slo dlo versioned_writes symlink proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
auth_url = $identity_url
www_authenticate_uri = $identity_url
auth_type = password
username = swift
password = $password
project_name = service
user_domain_name = Default
project_domain_name = Default
memcached_servers = $LAB_HOST:$p_cache
delay_auth_decision = true
service_token_roles_required = true
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member, SwiftOperator
reseller_admin_role = ResellerAdmin
[filter:cache]
use = egg:swift#memcache
memcache_servers = $LAB_HOST:$p_cache
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:copy]
use = egg:swift#copy
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:symlink]
use = egg:swift#symlink
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:container_sync]
use = egg:swift#container_sync
[filter:bulk]
use = egg:swift#bulk
[filter:tempurl]
use = egg:swift#tempurl
[filter:ratelimit]
use = egg:swift#ratelimit
[filter:crossdomain]
use = egg:swift#crossdomain
[filter:formpost]
use = egg:swift#formpost
[filter:staticweb]
use = egg:swift#staticweb
[filter:container-quotas]
use = egg:swift#container_quotas
[filter:account-quotas]
use = egg:swift#account_quotas
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
EOF
  mkdir -p "$data/swift/d1"
}

config_heat() {
  cp "$venv/etc/heat/api-paste.ini" "$etc/heat/"
  cat >"$etc/heat/heat.conf" <<EOF
[DEFAULT]
use_stderr = true
host = lab-host-1
transport_url = $bus_url
num_engine_workers = 1
stack_user_domain_name = heat
stack_domain_admin = heat_domain_admin
stack_domain_admin_password = $password
region_name_for_services = RegionOne
auth_encryption_key = $heat_key
deferred_auth_method = trusts
server_keystone_endpoint_type = public
environment_dir = $etc/heat/environment.d
template_dir = $etc/heat/templates
[paste_deploy]
api_paste_config = $etc/heat/api-paste.ini
[database]
connection = $(db heat)
$(pool)
[clients_keystone]
auth_uri = http://$LAB_HOST:$p_keystone
$(authtoken heat)
$(creds trustee heat)
$(concurrency heat)
EOF
  cp -r "$venv/etc/heat/environment.d" "$venv/etc/heat/templates" "$etc/heat/"
}

config_rabbitmq() {
  cat >"$etc/rabbitmq.conf" <<EOF
listeners.tcp.1 = $LAB_HOST:$p_bus
loopback_users.guest = true
log.console = true
log.console.level = warning
log.file = false
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 50MB
EOF
}

write_config() {
  local service
  for service in $LAB_SERVICES; do
    mkdir -p "$etc/$service" "$data/$service" "$data/lock/$service"
    "config_$service"
  done
  config_rabbitmq
}
