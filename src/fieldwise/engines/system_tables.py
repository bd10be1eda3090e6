"""Fieldwise's own tables in the warehouse: ledger, fence, guard rows, versions (spec 7, "Publish")."""

from __future__ import annotations

SYSTEM_TABLES = """
CREATE SCHEMA IF NOT EXISTS fieldwise;
CREATE SCHEMA IF NOT EXISTS fieldwise_dropped;
CREATE TABLE IF NOT EXISTS fieldwise.partition (
    environment VARCHAR, relation VARCHAR, partition VARCHAR, publishes BIGINT, PRIMARY KEY (environment, relation, partition));
CREATE TABLE IF NOT EXISTS fieldwise.published (
    environment VARCHAR, relation VARCHAR, node VARCHAR, partition VARCHAR, attempt BIGINT, PRIMARY KEY (environment, node, partition));
CREATE TABLE IF NOT EXISTS fieldwise.fence (
    environment VARCHAR, node VARCHAR, partition VARCHAR, attempt BIGINT, PRIMARY KEY (environment, node, partition));
CREATE TABLE IF NOT EXISTS fieldwise.version (
    relation VARCHAR, partition VARCHAR, field VARCHAR, attempt BIGINT, PRIMARY KEY (relation, partition, field));
CREATE TABLE IF NOT EXISTS fieldwise.source (name VARCHAR PRIMARY KEY, folder VARCHAR);
CREATE TABLE IF NOT EXISTS fieldwise.shape_change (version VARCHAR PRIMARY KEY);
CREATE TABLE IF NOT EXISTS fieldwise.zero_field (relation VARCHAR, node VARCHAR, field VARCHAR, PRIMARY KEY (relation, field));
CREATE TABLE IF NOT EXISTS fieldwise.member (relation VARCHAR, node VARCHAR, partition VARCHAR, key VARCHAR);
"""
# `version.field` '' stands for the key set. `member` holds each metrics node's key set: rows are the union over nodes.
KEY_SET = ""
