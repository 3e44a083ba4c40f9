/** "4. Deploy the primary" */
export const primary = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: tidesdb-primary-config
data:
  tidesdb.cnf: |
    [mariadb]
    plugin-load-add=ha_tidesdb.so

    # Object store
    tidesdb_object_store_backend=S3
    tidesdb_s3_endpoint=s3.amazonaws.com
    tidesdb_s3_bucket=tidesdb-production
    tidesdb_s3_region=us-east-1
    tidesdb_s3_access_key=REPLACE_WITH_ACCESS_KEY
    tidesdb_s3_secret_key=REPLACE_WITH_SECRET_KEY
    tidesdb_s3_use_ssl=ON
    tidesdb_s3_path_style=OFF
    tidesdb_objstore_local_cache_max=512M
    tidesdb_objstore_wal_sync_threshold=1M

    # Engine tuning
    tidesdb_unified_memtable=ON
    tidesdb_unified_memtable_write_buffer_size=128M
    tidesdb_block_cache_size=256M
    tidesdb_flush_threads=4
    tidesdb_compaction_threads=4
    tidesdb_log_level=WARN
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: tidesql-primary
spec:
  serviceName: tidesql-primary
  replicas: 1
  selector:
    matchLabels:
      app: tidesql
      role: primary
  template:
    metadata:
      labels:
        app: tidesql
        role: primary
    spec:
      containers:
        - name: mariadb
          image: <your-ecr-registry>/tidesql:latest # e.g. 123456789012.dkr.ecr.us-east-1.amazonaws.com/tidesdb/tidesql:latest
          command: ["/bin/bash", "-c"]
          args:
            - |
              mkdir -p /etc/mysql/custom && cp /opt/tidesdb-config/tidesdb.cnf /etc/mysql/custom/tidesdb-k8s.cnf
              exec /usr/local/bin/tidesql-entrypoint.sh
          ports:
            - containerPort: 3306
              name: mysql
          volumeMounts:
            - name: config
              mountPath: /opt/tidesdb-config/tidesdb.cnf
              subPath: tidesdb.cnf
            - name: data
              mountPath: /var/lib/mysql
          livenessProbe:
            exec:
              command: ["mariadb-admin", "ping", "-h", "localhost"]
            initialDelaySeconds: 30
            periodSeconds: 10
          readinessProbe:
            exec:
              command: ["mariadb", "-h", "localhost", "-e", "SELECT 1"]
            initialDelaySeconds: 10
            periodSeconds: 5
      volumes:
        - name: config
          configMap:
            name: tidesdb-primary-config
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: ["ReadWriteOnce"]
        storageClassName: gp3
        resources:
          requests:
            storage: 100Gi
---
apiVersion: v1
kind: Service
metadata:
  name: tidesql-primary
spec:
  type: ClusterIP
  selector:
    app: tidesql
    role: primary
  ports:
    - port: 3306
      targetPort: 3306
      name: mysql
`;

/** "6. Deploy read replicas" */
export const replicas = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: tidesdb-replica-config
data:
  tidesdb.cnf: |
    [mariadb]
    plugin-load-add=ha_tidesdb.so

    # Object store (same bucket as primary)
    tidesdb_object_store_backend=S3
    tidesdb_s3_endpoint=s3.amazonaws.com
    tidesdb_s3_bucket=tidesdb-production
    tidesdb_s3_region=us-east-1
    tidesdb_s3_access_key=REPLACE_WITH_ACCESS_KEY
    tidesdb_s3_secret_key=REPLACE_WITH_SECRET_KEY
    tidesdb_s3_use_ssl=ON
    tidesdb_s3_path_style=OFF
    tidesdb_objstore_local_cache_max=512M

    # Replica mode
    tidesdb_replica_mode=ON
    tidesdb_replica_sync_interval=1000000

    # Engine tuning
    tidesdb_unified_memtable=ON
    tidesdb_unified_memtable_write_buffer_size=128M
    tidesdb_block_cache_size=256M
    tidesdb_flush_threads=2
    tidesdb_compaction_threads=2
    tidesdb_log_level=WARN
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: tidesql-replica
spec:
  replicas: 2
  selector:
    matchLabels:
      app: tidesql
      role: replica
  template:
    metadata:
      labels:
        app: tidesql
        role: replica
    spec:
      containers:
        - name: mariadb
          image: <your-ecr-registry>/tidesql:latest # e.g. 123456789012.dkr.ecr.us-east-1.amazonaws.com/tidesdb/tidesql:latest
          command: ["/bin/bash", "-c"]
          args:
            - |
              mkdir -p /etc/mysql/custom && cp /opt/tidesdb-config/tidesdb.cnf /etc/mysql/custom/tidesdb-k8s.cnf
              exec /usr/local/bin/tidesql-entrypoint.sh
          ports:
            - containerPort: 3306
              name: mysql
          volumeMounts:
            - name: config
              mountPath: /opt/tidesdb-config/tidesdb.cnf
              subPath: tidesdb.cnf
            - name: cache
              mountPath: /var/lib/mysql
          readinessProbe:
            exec:
              command: ["mariadb", "-h", "localhost", "-e", "SELECT 1"]
            initialDelaySeconds: 10
            periodSeconds: 5
      volumes:
        - name: config
          configMap:
            name: tidesdb-replica-config
        - name: cache
          emptyDir:
            sizeLimit: 50Gi
---
apiVersion: v1
kind: Service
metadata:
  name: tidesql-replica
spec:
  type: ClusterIP
  selector:
    app: tidesql
    role: replica
  ports:
    - port: 3306
      targetPort: 3306
      name: mysql
`;

/** "7. Deploy the failover controller" */
export const failoverController = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: tidesdb-failover-script
data:
  failover.sh: |
    #!/bin/bash
    set -euo pipefail

    PRIMARY_HOST="\${PRIMARY_HOST:-tidesql-primary}"
    PRIMARY_PORT="\${PRIMARY_PORT:-3306}"
    REPLICA_HOST="\${REPLICA_HOST:-tidesql-replica}"
    REPLICA_PORT="\${REPLICA_PORT:-3306}"
    CHECK_INTERVAL="\${CHECK_INTERVAL:-5}"
    FAILURE_THRESHOLD="\${FAILURE_THRESHOLD:-3}"
    MYSQL_USER="\${MYSQL_USER:-monitor}"
    MYSQL_PASSWORD="\${MYSQL_PASSWORD:-}"

    FAILURES=0

    log() {
      echo "[$(date -u '+%Y-%m-%dT%H:%M:%SZ')] $*"
    }

    check_primary() {
      mariadb -h "$PRIMARY_HOST" -P "$PRIMARY_PORT" \\
        -u "$MYSQL_USER" -p"$MYSQL_PASSWORD" \\
        -e "SELECT 1" > /dev/null 2>&1
    }

    promote_replica() {
      log "PROMOTING replica $REPLICA_HOST to primary"
      mariadb -h "$REPLICA_HOST" -P "$REPLICA_PORT" \\
        -u "$MYSQL_USER" -p"$MYSQL_PASSWORD" \\
        -e "SET GLOBAL tidesdb_promote_primary = ON" 2>&1
      log "Promotion command sent"
    }

    log "TidesQL Failover Controller started"
    log "Primary: $PRIMARY_HOST:$PRIMARY_PORT"
    log "Replica: $REPLICA_HOST:$REPLICA_PORT"
    log "Check interval: \${CHECK_INTERVAL}s, failure threshold: $FAILURE_THRESHOLD"

    while true; do
      if check_primary; then
        [ "$FAILURES" -gt 0 ] && log "Primary recovered after $FAILURES failures"
        FAILURES=0
      else
        FAILURES=$((FAILURES + 1))
        log "Primary check failed ($FAILURES/$FAILURE_THRESHOLD)"
        if [ "$FAILURES" -ge "$FAILURE_THRESHOLD" ]; then
          promote_replica
          log "Failover complete. Exiting."
          exit 0
        fi
      fi
      sleep "$CHECK_INTERVAL"
    done
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: tidesql-failover-controller
spec:
  replicas: 1
  selector:
    matchLabels:
      app: tidesql-failover
  template:
    metadata:
      labels:
        app: tidesql-failover
    spec:
      containers:
        - name: controller
          image: mariadb:latest
          command: ["bash", "/scripts/failover.sh"]
          env:
            - name: PRIMARY_HOST
              value: "tidesql-primary"
            - name: REPLICA_HOST
              value: "tidesql-replica"
            - name: CHECK_INTERVAL
              value: "5"
            - name: FAILURE_THRESHOLD
              value: "3"
            - name: MYSQL_USER
              value: "monitor"
            - name: MYSQL_PASSWORD
              value: "M0nitor!Pass9"
          volumeMounts:
            - name: scripts
              mountPath: /scripts
      volumes:
        - name: scripts
          configMap:
            name: tidesdb-failover-script
            defaultMode: 0755
`;
